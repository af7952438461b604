# My orders and my videos.
