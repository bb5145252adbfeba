"""What is seen in one image: hands, what they hold and wear, people, the view."""
